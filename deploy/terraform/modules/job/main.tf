# The pipeline as a job of Dataflow, from its Flex template: deploy/dataflow/metadata.json says what `parameters` may hold.
# A change of template or parameters replaces the running job, which keeps what it knows; destroying it drains it.
resource "google_dataflow_flex_template_job" "pipeline" {
  provider = google-beta

  project                 = var.project
  region                  = var.region
  name                    = var.name
  container_spec_gcs_path = var.template
  labels                  = var.labels
  on_delete               = "drain"

  parameters = merge(
    {
      inputSubscription = var.subscription
      alerts_topic      = var.alerts_topic
      dataset           = var.dataset
      views_dataset     = var.views_dataset
      archive           = var.archive
      signature_keys    = "secret:${var.pipeline_key}/versions/latest"
    },
    var.table_prefix == "" ? {} : { table_prefix = var.table_prefix },
    var.parameters,
  )

  enable_streaming_engine      = true
  additional_experiments       = ["streaming_mode_at_least_once"]
  autoscaling_algorithm        = "THROUGHPUT_BASED"
  num_workers                  = var.min_workers
  max_workers                  = var.max_workers
  machine_type                 = var.machine_type
  service_account_email        = var.service_account
  subnetwork                   = var.subnetwork
  ip_configuration             = "WORKER_IP_PRIVATE"
  staging_location             = "gs://${var.staging}/staging"
  temp_location                = "gs://${var.staging}/tmp"
  skip_wait_on_job_termination = false
}
