resource "google_pubsub_subscription_iam_member" "notifier_hears" {
  project      = var.project
  subscription = var.notify_subscription
  role         = "roles/pubsub.subscriber"
  member       = var.accounts.notifier.member
}
