locals {
  charts = concat(
    [
      { title = "Oldest message that waits", filter = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.of_subscriptions}", aligner = "ALIGN_MAX" },
      { title = "Messages that wait", filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.of_subscriptions}", aligner = "ALIGN_MEAN" },
      { title = "Requests of gateways", filter = "metric.type=\"pubsub.googleapis.com/topic/send_request_count\" AND resource.type=\"pubsub_topic\" AND resource.labels.topic_id=\"${var.topic}\"", aligner = "ALIGN_RATE" },
      { title = "Errors in the log", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.errors.name}\"", aligner = "ALIGN_RATE" },
    ],
    var.job == null ? [] : [
      { title = "Batches", filter = "${local.counter} AND metric.labels.metric_name=\"batches\"", aligner = "ALIGN_RATE" },
      { title = "Batches that came before", filter = "${local.counter} AND metric.labels.metric_name=\"repeated\"", aligner = "ALIGN_RATE" },
      { title = "Rejects", filter = "${local.counter} AND metric.labels.metric_name=starts_with(\"rejects/\")", aligner = "ALIGN_RATE" },
      { title = "Rows that wait to be written", filter = "${local.counter} AND metric.labels.metric_name=starts_with(\"late_appends/\")", aligner = "ALIGN_RATE" },
    ],
  )
}

resource "google_monitoring_dashboard" "pipeline" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = "TinyBeam"
    mosaicLayout = {
      columns = 48
      tiles = [
        for number, chart in local.charts : {
          xPos   = number % 2 * 24
          yPos   = floor(number / 2) * 16
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = { filter = chart.filter, aggregation = { alignmentPeriod = "60s", perSeriesAligner = chart.aligner } }
                }
              }]
            }
          }
        }
      ]
    }
  })
}
