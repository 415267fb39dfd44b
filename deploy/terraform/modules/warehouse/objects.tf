# Views and functions from sql/, by way of objects/*.json. BigQuery refuses one whose parts are not there yet, so they are made level by level.
locals {
  objects = { for name in fileset(path.module, "objects/*.json") : trimsuffix(basename(name), ".json") => jsondecode(file("${path.module}/${name}")) }
}

module "level_0" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 0 }

  depends_on = [google_bigquery_table.facts]
}

module "level_1" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 1 }

  depends_on = [module.level_0]
}

module "level_2" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 2 }

  depends_on = [module.level_1]
}

module "level_3" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 3 }

  depends_on = [module.level_2]
}

module "level_4" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 4 }

  depends_on = [module.level_3]
}

module "level_5" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 5 }

  depends_on = [module.level_4]
}

module "level_6" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 6 }

  depends_on = [module.level_5]
}

module "level_7" {
  source = "./level"

  project = var.project
  dataset = google_bigquery_dataset.views.dataset_id
  prefix  = var.table_prefix
  labels  = var.labels
  names   = local.names
  objects = { for name, object in local.objects : name => object if object.level == 7 }

  depends_on = [module.level_6]
}
