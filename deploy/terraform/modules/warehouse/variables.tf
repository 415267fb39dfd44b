variable "project" {
  description = "Project of the datasets."
  type        = string
}

variable "labels" {
  description = "Labels of datasets, tables and views, for example for the bill."
  type        = map(string)
}

variable "location" {
  description = "Where the datasets are, such as EU or europe-west1. BigQuery moves none."
  type        = string
}

variable "dataset" {
  description = "Dataset of the tables: the pipeline's --dataset."
  type        = string
  default     = "tinybeam"

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset))
    error_message = "dataset: letters, digits and underscores."
  }
}

variable "views_dataset" {
  description = "Dataset of views and functions: the pipeline's --views_dataset."
  type        = string
  default     = "tinybeam_views"

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.views_dataset)) && var.views_dataset != var.dataset
    error_message = "views_dataset: letters, digits and underscores, and another than dataset: whoever reads it reads no table."
  }
}

variable "table_prefix" {
  description = "What the names of tables, views and functions begin with, in datasets that are shared: --table_prefix."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z_][A-Za-z0-9_]{0,63})?$", var.table_prefix))
    error_message = "table_prefix: letters, digits and underscores, at most 64, not beginning with a digit."
  }
}

variable "partition_expiration_days" {
  description = "Days that rows are kept, in every table that is partitioned; null: for ever."
  type        = number
  default     = null

  validation {
    condition     = var.partition_expiration_days == null ? true : var.partition_expiration_days >= 1
    error_message = "partition_expiration_days: at least 1, or null for ever."
  }
}

variable "partition_expiration_days_of" {
  description = "The same for single tables, such as { rejects_v1 = 90 }. Keep batches_v1 as long as the facts: completeness is counted from it."
  type        = map(number)
  default     = {}
}

variable "kms_key" {
  description = "Key of Cloud KMS under which new tables are encrypted, projects/P/locations/L/keyRings/R/cryptoKeys/K; null: a key of Google's."
  type        = string
  default     = null
}

variable "position_tag" {
  description = "Policy tag of the columns that say where a site lies; null: whoever reads the table sees them."
  type        = string
  default     = null
}
