# A budget stops nothing: it writes to whoever pays. What may be spent is bounded by max_workers and --maximum_bytes_billed.
data "google_project" "this" {
  project_id = var.project
}

resource "google_billing_budget" "month" {
  billing_account = var.billing_account
  display_name    = "TinyBeam in ${var.project}"

  budget_filter {
    projects        = ["projects/${data.google_project.this.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = var.currency
      units         = tostring(var.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
}
