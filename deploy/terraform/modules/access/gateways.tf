# A gateway may publish to the gateways' topic, and nothing more: it reads nothing, and sees no other gateway. A site or gateway that leaves
# its list is out.
resource "google_pubsub_topic_iam_member" "site" {
  for_each = var.sites

  project = var.project
  topic   = var.topic
  role    = "roles/pubsub.publisher"
  member  = "${var.site}/${each.value}"
}

resource "google_pubsub_topic_iam_member" "gateway" {
  for_each = toset(flatten([for names in values(var.gateways) : tolist(names)]))

  project = var.project
  topic   = var.topic
  role    = "roles/pubsub.publisher"
  member  = "${var.subject}/${each.value}"
}
