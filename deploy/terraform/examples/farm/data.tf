# Where the data goes: messages, tables and views, buckets.
locals {
  dataflow = var.engine == "dataflow"
  labels   = merge({ app = "tinybeam" }, var.labels)

  # Who sees what, once anybody may read tables.
  has_rules     = length(var.table_readers) > 0
  table_readers = toset(flatten([for members in values(var.table_readers) : tolist(members)]))
  everywhere    = setunion([module.accounts.pipeline.member, module.accounts.launcher.member, module.accounts.analyst.member], var.analysts)
  of_sites = {
    for site in setunion(keys(var.table_readers), keys(var.site_analysts)) :
    site => setunion(lookup(var.table_readers, site, []), lookup(var.site_analysts, site, []))
  }
}

module "services" {
  source = "../../modules/services"

  project  = var.project
  dataflow = local.dataflow
  budget   = var.billing_account != null
  rules    = local.has_rules
}

module "messages" {
  source = "../../modules/messages"

  project        = var.project
  labels         = local.labels
  shards         = var.shards
  retention_days = var.retention_days
  kms_key        = var.kms_key
  # Dataflow does not support dead-letter topics
  delivery_attempts = local.dataflow ? null : 100

  depends_on = [module.services]
}

module "warehouse" {
  source = "../../modules/warehouse"

  project  = var.project
  labels   = local.labels
  location = var.location
  kms_key  = var.kms_key

  position_tag = one(module.positions[*].tag)

  depends_on = [module.services]
}

# What those see who may read tables.
module "positions" {
  source = "../../modules/positions"
  count  = local.has_rules ? 1 : 0

  project  = var.project
  location = var.location
  readers  = local.everywhere
  masked   = setunion(values(local.of_sites)...)

  depends_on = [module.services]
}

module "rules" {
  source = "../../modules/rules"
  count  = local.has_rules ? 1 : 0

  project      = var.project
  dataset      = module.warehouse.dataset
  table_prefix = module.warehouse.table_prefix
  tables       = module.warehouse.tables_with_site
  everywhere   = local.everywhere
  sites        = local.of_sites
  readers      = local.table_readers
}

# What the analysts of one site see.
module "site" {
  source   = "../../modules/site"
  for_each = var.site_analysts

  project       = var.project
  labels        = local.labels
  location      = var.location
  kms_key       = var.kms_key
  views_dataset = module.warehouse.views_dataset
  table_prefix  = module.warehouse.table_prefix
  site          = each.key
  analysts      = each.value

  depends_on = [module.warehouse]
}

module "buckets" {
  source = "../../modules/buckets"

  project  = var.project
  labels   = local.labels
  location = var.location
  prefix   = "${var.project}-tinybeam"
  kms_key  = var.kms_key

  depends_on = [module.services]
}
