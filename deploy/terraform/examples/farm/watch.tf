# Who is told when the pipeline itself is in trouble, or costs more than it should.
module "monitoring" {
  source = "../../modules/monitoring"

  project        = var.project
  labels         = local.labels
  mails          = var.mails
  topic          = basename(module.messages.topic)
  subscriptions  = keys(module.messages.subscriptions)
  dead_letters   = module.messages.dead_letters == null ? null : basename(module.messages.dead_letters.subscription)
  job            = local.dataflow ? "tinybeam" : null
  retention_days = var.retention_days

  depends_on = [module.services]
}

module "budget" {
  source = "../../modules/budget"
  count  = var.billing_account == null ? 0 : 1

  project         = var.project
  billing_account = var.billing_account
  amount          = var.monthly_budget
  currency        = var.currency

  depends_on = [module.services]
}
