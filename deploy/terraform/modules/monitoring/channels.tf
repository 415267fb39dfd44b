resource "google_monitoring_notification_channel" "mail" {
  for_each = var.mails

  project      = var.project
  display_name = "TinyBeam: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  user_labels  = var.labels
}

locals {
  channels = [for channel in google_monitoring_notification_channel.mail : channel.id]
}
