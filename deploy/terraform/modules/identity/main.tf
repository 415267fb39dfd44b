# Who shows a certificate of the farm's authority is somebody: google.subject is its common name, attribute.site its organisational unit.
# Google looks at no list of revoked certificates: `revoked` and the bindings of `access` are what locks one out.
locals {
  quoted  = join(", ", [for serial in var.revoked : "'${serial}'"])
  pool    = google_iam_workload_identity_pool.machines.name
  subject = "principal://iam.googleapis.com/${local.pool}/subject"
  site    = "principalSet://iam.googleapis.com/${local.pool}/attribute.site"
}

resource "google_iam_workload_identity_pool" "machines" {
  project                   = var.project
  workload_identity_pool_id = var.pool
  display_name              = "TinyBeam machines"
  description               = "Gateways, and programs on machines outside of Google, by their certificates"
}

resource "google_iam_workload_identity_pool_provider" "certificates" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.machines.workload_identity_pool_id
  workload_identity_pool_provider_id = "certificates"
  display_name                       = "Certificates"
  description                        = "X.509 certificates of the farm's authority"

  attribute_mapping = {
    "google.subject" = "assertion.subject.dn.cn"
    "attribute.site" = "assertion.subject.dn.ou"
  }
  attribute_condition = length(var.revoked) > 0 ? "!(assertion.serialNumberHex in [${local.quoted}])" : null

  x509 {
    trust_store {
      dynamic "trust_anchors" {
        for_each = var.authorities
        content {
          pem_certificate = trust_anchors.value
        }
      }
      dynamic "intermediate_cas" {
        for_each = var.intermediates
        content {
          pem_certificate = intermediate_cas.value
        }
      }
    }
  }
}
