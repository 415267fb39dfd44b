output "topic" {
  description = "Topic of the gateways, as projects/P/topics/T."
  value       = google_pubsub_topic.telemetry.id
}

output "alerts_topic" {
  description = "Topic of the alerts, as projects/P/topics/T."
  value       = google_pubsub_topic.alerts.id
}

output "subscriptions" {
  description = "Subscriptions of pipelines by name, as projects/P/subscriptions/S."
  value       = { for name, subscription in google_pubsub_subscription.pipeline : name => subscription.id }
}

output "notify_subscription" {
  description = "Subscription of the notifier, as projects/P/subscriptions/S."
  value       = google_pubsub_subscription.notify.id
}

output "dead_letters" {
  description = "Topic and subscription of the dead letters; null if there are none."
  value = local.dead_letters ? {
    topic        = google_pubsub_topic.dead_letters[0].id
    subscription = google_pubsub_subscription.dead_letters[0].id
  } : null
}
