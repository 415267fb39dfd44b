# Where the data goes: messages, tables and views, buckets.
locals {
  dataflow = var.engine == "dataflow"
  labels   = merge({ app = "tinybeam" }, var.labels)
}

module "services" {
  source = "../../modules/services"

  project  = var.project
  dataflow = local.dataflow
  budget   = var.billing_account != null
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

  depends_on = [module.services]
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
