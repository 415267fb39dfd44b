output "subject" {
  description = "What a slash and a common name make a binding's member: one machine."
  value       = local.subject
}

output "site" {
  description = "What a slash and an organisational unit make a binding's member: all gateways of a site."
  value       = local.site
}

output "credentials" {
  description = "uplink.credentials_file of every gateway: it holds no secret, and names /etc/tinybeam/certificate.json, which names certificate and key."
  value = jsonencode({
    type               = "external_account"
    audience           = "//iam.googleapis.com/${google_iam_workload_identity_pool_provider.certificates.name}"
    subject_token_type = "urn:ietf:params:oauth:token-type:mtls"
    token_url          = "https://sts.mtls.googleapis.com/v1/token"
    universe_domain    = "googleapis.com"
    credential_source = {
      certificate = { certificate_config_location = "/etc/tinybeam/certificate.json" }
    }
  })
}
