# Tables from the records of schemas/, by way of tables/*.json: `python -m deploy.generate` writes them, and nobody by hand.
locals {
  tables = { for name in fileset(path.module, "tables/*.json") : trimsuffix(basename(name), ".json") => jsondecode(file("${path.module}/${name}")) }
  positions = ["latitude", "longitude"]
  schemas = {
    for name, table in local.tables : name => [
      for column in table.schema : merge(
        column,
        var.position_tag != null && contains(local.positions, column.name) ? { policyTags = { names = [var.position_tag] } } : {},
      )
    ]
  }
  expiration = merge(
    { for name, table in local.tables : name => var.partition_expiration_days if var.partition_expiration_days != null },
    var.partition_expiration_days_of,
  )
}

resource "google_bigquery_table" "facts" {
  for_each = local.tables

  project             = var.project
  dataset_id          = google_bigquery_dataset.tables.dataset_id
  table_id            = "${var.table_prefix}${each.key}"
  description         = each.value.description
  labels              = var.labels
  schema              = jsonencode(local.schemas[each.key])
  clustering          = each.value.cluster
  deletion_protection = true

  dynamic "time_partitioning" {
    for_each = each.value.partition == null ? [] : [each.value.partition]
    content {
      type          = "DAY"
      field         = time_partitioning.value
      expiration_ms = contains(keys(local.expiration), each.key) ? local.expiration[each.key] * 86400000 : null
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
