# Views and functions that need nothing of each other.
locals {
  text = { for name, object in var.objects : name => replace(replace(object.text, "{{tables}}", var.names.tables), "{{views}}", var.names.views) }
}

resource "google_bigquery_routine" "function" {
  for_each = { for name, object in var.objects : name => object if endswith(object.kind, "function") }

  project         = var.project
  dataset_id      = var.dataset
  routine_id      = "${var.prefix}${each.key}"
  routine_type    = each.value.kind == "table_function" ? "TABLE_VALUED_FUNCTION" : "SCALAR_FUNCTION"
  language        = "SQL"
  description     = each.value.description
  definition_body = local.text[each.key]
  return_type     = each.value.returns == null ? null : jsonencode(each.value.returns)

  dynamic "arguments" {
    for_each = each.value.arguments
    content {
      name      = arguments.value.name
      data_type = jsonencode(arguments.value.type)
    }
  }
}

resource "google_bigquery_table" "view" {
  for_each = { for name, object in var.objects : name => object if endswith(object.kind, "view") }

  project     = var.project
  dataset_id  = var.dataset
  table_id    = "${var.prefix}${each.key}"
  description = each.value.description
  labels      = var.labels
  # a view holds no rows
  deletion_protection = false

  dynamic "view" {
    for_each = each.value.kind == "view" ? [local.text[each.key]] : []
    content {
      query          = view.value
      use_legacy_sql = false
    }
  }

  dynamic "materialized_view" {
    for_each = each.value.kind == "materialized_view" ? [local.text[each.key]] : []
    content {
      query = materialized_view.value
    }
  }
}
