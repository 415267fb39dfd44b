# What Dataflow runs on, and the job itself once there is a template.
module "network" {
  source = "../../modules/network"
  count  = local.dataflow ? 1 : 0

  project = var.project
  region  = var.region

  depends_on = [module.services]
}

module "images" {
  source = "../../modules/images"
  count  = local.dataflow ? 1 : 0

  project = var.project
  region  = var.region
  labels  = local.labels

  depends_on = [module.services]
}

module "job" {
  source = "../../modules/job"
  count  = var.template == null ? 0 : 1

  project         = var.project
  region          = var.region
  labels          = local.labels
  template        = var.template
  subscription    = module.messages.subscriptions["tinybeam"]
  alerts_topic    = module.messages.alerts_topic
  dataset         = module.warehouse.dataset
  views_dataset   = module.warehouse.views_dataset
  table_prefix    = module.warehouse.table_prefix
  archive         = "gs://${module.buckets.archive}/batches"
  pipeline_key    = module.secrets.pipeline_key
  service_account = module.accounts.pipeline.email
  subnetwork      = module.network[0].subnetwork
  staging         = module.buckets.staging

  # a job that starts before its rights are there fails
  depends_on = [module.access]
}
