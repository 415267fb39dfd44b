select * ${hidden}
from ${view}
where site_id = '${site}'
