output "topic" {
  description = "uplink.topic of every gateway."
  value       = module.messages.topic
}

output "credentials" {
  description = "uplink.credentials_file of every gateway; it holds no secret: tofu output -raw credentials > google.json."
  value       = module.identity.credentials
}

output "machine_credentials" {
  description = "google.json of each program on a machine of `machines`, by account; none holds a secret: tofu output -json machine_credentials | jq -r .pipeline."
  value = {
    for program, account in local.accounts : program => jsonencode(merge(jsondecode(module.identity.credentials), {
      service_account_impersonation_url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account.email}:generateAccessToken"
    }))
  }
}

output "pipeline_key" {
  description = "--signature_keys of the pipeline, once `gcloud secrets versions add` has put pipeline.key there."
  value       = "secret:${module.secrets.pipeline_key}/versions/latest"
}

output "subscriptions" {
  description = "--input_subscription of each pipeline, by name."
  value       = module.messages.subscriptions
}

output "alerts_topic" {
  description = "--alerts_topic of the pipeline."
  value       = module.messages.alerts_topic
}

output "notify_subscription" {
  description = "pubsub.subscription of the notifier."
  value       = module.messages.notify_subscription
}

output "dead_letters" {
  description = "Topic and subscription of what could not be written; null with Dataflow."
  value       = module.messages.dead_letters
}

output "datasets" {
  description = "--dataset and --views_dataset of every command."
  value       = { dataset = module.warehouse.dataset, views_dataset = module.warehouse.views_dataset }
}

output "archive" {
  description = "--archive of the pipeline."
  value       = "gs://${module.buckets.archive}/batches"
}

output "temp_location" {
  description = "--temp_location of `tinybeam pipeline launch`."
  value       = "gs://${module.buckets.staging}/tmp"
}

output "loads" {
  description = "--temp_location of batch runs."
  value       = "gs://${module.buckets.loads}/loads"
}

output "template" {
  description = "Where to build the Flex template: `template` afterwards."
  value       = "gs://${module.buckets.templates}/tinybeam.json"
}

output "image" {
  description = "What the name of an image begins with; null with engine = \"own\"."
  value       = one(module.images[*].prefix)
}

output "subnetwork" {
  description = "--subnetwork of `tinybeam pipeline launch`; null with engine = \"own\"."
  value       = one(module.network[*].subnetwork)
}

output "accounts" {
  description = "E-mail addresses of the service accounts."
  value       = { for program, account in local.accounts : program => account.email }
}

output "job_id" {
  description = "Id of the job; null if Terraform launched none."
  value       = one(module.job[*].job_id)
}

output "dashboard" {
  description = "Name of the dashboard in Cloud Monitoring."
  value       = module.monitoring.dashboard
}
