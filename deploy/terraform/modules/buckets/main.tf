# Buckets of the pipeline, each with a life of its own: what a job leaves goes after days, the archive stays.
resource "google_storage_bucket" "staging" {
  project                     = var.project
  name                        = "${var.prefix}-staging"
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  # a running job reads its own files again when it scales: far longer than two releases lie apart
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.staging_days
    }
  }

  # files of a job are written once and replaced by its next launch
  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

# --temp_location of batch runs: Parquet that BigQuery loads, and that is nobody's afterwards.
resource "google_storage_bucket" "loads" {
  project                     = var.project
  name                        = "${var.prefix}-loads"
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 7
    }
  }

  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

resource "google_storage_bucket" "templates" {
  project                     = var.project
  name                        = "${var.prefix}-templates"
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      num_newer_versions = 10
      with_state         = "ARCHIVED"
    }
  }
}

# Every batch as it was sent, from which every table can be built anew. Small files are gathered within hours and stay as they are afterwards.
resource "google_storage_bucket" "archive" {
  project                     = var.project
  name                        = "${var.prefix}-archive"
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age = 30
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "COLDLINE"
    }
    condition {
      age = 120
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.archive_days == null ? [] : [var.archive_days]
    content {
      action {
        type = "Delete"
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }

  # whatever deletes an object by mistake, it can be had back for so long
  soft_delete_policy {
    retention_duration_seconds = 30 * 86400
  }

  lifecycle {
    prevent_destroy = true
  }
}
