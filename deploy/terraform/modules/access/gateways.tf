# A gateway may publish to the gateways' topic, and nothing more: it reads nothing, and sees no other gateway. A site that leaves the list is out.
resource "google_pubsub_topic_iam_member" "site" {
  for_each = var.sites

  project = var.project
  topic   = var.topic
  role    = "roles/pubsub.publisher"
  member  = "${var.site}/${each.value}"
}
