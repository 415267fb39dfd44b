output "pipeline" {
  description = "Service account of the pipeline: its name, its e-mail address, and what stands for it in a binding."
  value = {
    name   = google_service_account.pipeline.name
    email  = google_service_account.pipeline.email
    member = google_service_account.pipeline.member
  }
}

output "launcher" {
  description = "Service account of the launcher: its name, its e-mail address, and what stands for it in a binding."
  value = {
    name   = google_service_account.launcher.name
    email  = google_service_account.launcher.email
    member = google_service_account.launcher.member
  }
}

output "notifier" {
  description = "Service account of the notifier: its name, its e-mail address, and what stands for it in a binding."
  value = {
    name   = google_service_account.notifier.name
    email  = google_service_account.notifier.email
    member = google_service_account.notifier.member
  }
}

output "analyst" {
  description = "Service account of the analyst: its name, its e-mail address, and what stands for it in a binding."
  value = {
    name   = google_service_account.analyst.name
    email  = google_service_account.analyst.email
    member = google_service_account.analyst.member
  }
}
