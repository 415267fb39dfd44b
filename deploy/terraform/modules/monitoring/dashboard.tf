locals {
  of_topic = "resource.type=\"pubsub_topic\" AND resource.labels.topic_id=\"${var.topic}\""
  measured = concat(
    [
      { title = "Oldest message that waits, seconds", filter = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.of_subscriptions}", aligner = "ALIGN_MAX" },
      { title = "Messages that wait", filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.of_subscriptions}", aligner = "ALIGN_MEAN" },
      { title = "Requests of gateways, a second", filter = "metric.type=\"pubsub.googleapis.com/topic/send_request_count\" AND ${local.of_topic}", aligner = "ALIGN_RATE" },
    ],
    [for metric in google_logging_metric.errors :
      { title = "Errors in the log, a second", filter = "metric.type=\"logging.googleapis.com/user/${metric.name}\" AND resource.type=\"dataflow_job\"", aligner = "ALIGN_RATE" }
    ],
  )
  counted = [for chart in [
    { title = "Batches in five minutes", name = "=\"batches\"" },
    { title = "Batches that came before, in five minutes", name = "=\"repeated\"" },
    { title = "Rejects in five minutes", name = "=~\"rejects/.*\"" },
    { title = "Rows that wait to be written, by table", name = "=~\"late_appends/.*\"" },
  ] : { title = chart.title, query = "sum by (metric_name) (delta(${local.counter}${chart.name}}[5m]))" } if var.job != null]
  charts = concat(
    [for chart in local.measured : {
      title = chart.title
      query = jsonencode({ timeSeriesFilter = { filter = chart.filter, aggregation = { alignmentPeriod = "60s", perSeriesAligner = chart.aligner } } })
    }],
    [for chart in local.counted : { title = chart.title, query = jsonencode({ prometheusQuery = chart.query }) }],
  )
}

resource "google_monitoring_dashboard" "pipeline" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = "TinyBeam"
    mosaicLayout = {
      columns = 48
      tiles = [for number, chart in local.charts : {
        xPos   = number % 2 * 24
        yPos   = floor(number / 2) * 16
        width  = 24
        height = 16
        widget = {
          title   = chart.title
          xyChart = { dataSets = [{ plotType = "LINE", timeSeriesQuery = jsondecode(chart.query) }] }
        }
      }]
    }
  })
}
