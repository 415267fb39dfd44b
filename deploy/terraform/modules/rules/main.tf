# Rules on the tables, for people who have rights on them: who sees the rows of all sites, who those of one, and who sees where a site lies.
# Once a table has a rule, who is in none sees no row, through views too: the accounts and all analysts are in one.
locals {
  rules = { for pair in setproduct(var.tables, keys(var.sites)) : "${pair[0]}/${pair[1]}" => { table = pair[0], site = pair[1] } }
}

resource "google_bigquery_row_access_policy" "all_sites" {
  for_each = var.tables

  project          = var.project
  dataset_id       = var.dataset
  table_id         = "${var.table_prefix}${each.value}"
  policy_id        = "all_sites"
  filter_predicate = "true"
  grantees         = var.everywhere
}

resource "google_bigquery_row_access_policy" "site" {
  for_each = local.rules

  project          = var.project
  dataset_id       = var.dataset
  table_id         = "${var.table_prefix}${each.value.table}"
  policy_id        = "site_${replace(each.value.site, "/[^A-Za-z0-9_]/", "_")}"
  filter_predicate = "site_id = '${each.value.site}'"
  grantees         = var.sites[each.value.site]

  # The accounts keep their rows meanwhile.
  depends_on = [google_bigquery_row_access_policy.all_sites]
}

resource "google_bigquery_dataset_access" "table_readers_read" {
  for_each = var.readers

  project    = var.project
  dataset_id = var.dataset
  role       = "roles/bigquery.dataViewer"
  iam_member = each.value
}
