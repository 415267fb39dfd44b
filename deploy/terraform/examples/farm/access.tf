# Who may do what, and why: ../../ROLES.md
locals {
  accounts = {
    pipeline = module.accounts.pipeline
    launcher = module.accounts.launcher
    notifier = module.accounts.notifier
    analyst  = module.accounts.analyst
  }
}

module "accounts" {
  source = "../../modules/accounts"

  project = var.project

  depends_on = [module.services]
}

module "secrets" {
  source = "../../modules/secrets"

  project = var.project
  labels  = local.labels

  depends_on = [module.services]
}

module "identity" {
  source = "../../modules/identity"

  project       = var.project
  authorities   = [for name in var.authorities : file(name)]
  intermediates = [for name in var.intermediates : file(name)]
  revoked       = var.revoked

  depends_on = [module.services]
}

module "access" {
  source = "../../modules/access"

  project  = var.project
  dataflow = local.dataflow
  accounts = local.accounts

  topic               = module.messages.topic
  alerts_topic        = module.messages.alerts_topic
  subscriptions       = module.messages.subscriptions
  notify_subscription = module.messages.notify_subscription
  pipeline_key        = module.secrets.pipeline_key
  dead_letters        = module.messages.dead_letters
  dataset             = module.warehouse.dataset
  views_dataset       = module.warehouse.views_dataset
  buckets = {
    staging   = module.buckets.staging
    loads     = module.buckets.loads
    templates = module.buckets.templates
    archive   = module.buckets.archive
  }
  images = one(module.images[*].repository)

  subject   = module.identity.subject
  site      = module.identity.site
  sites     = var.sites
  gateways  = var.gateways
  machines  = var.machines
  launchers = var.launchers

  analysts      = var.analysts
  site_analysts = toset(flatten([for members in concat(values(var.site_analysts), values(var.table_readers)) : tolist(members)]))

  depends_on = [module.services]
}
