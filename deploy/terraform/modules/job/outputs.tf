output "job_id" {
  description = "Id of the job, new with each replacement."
  value       = google_dataflow_flex_template_job.pipeline.job_id
}
