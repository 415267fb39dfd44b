variable "project" {
  description = "Project of the job."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "name" {
  description = "Name of the job: `tinybeam pipeline status` and `update` find it by that."
  type        = string
  default     = "tinybeam"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.name))
    error_message = "name: lower-case letters, digits and dashes, beginning with a letter and not ending with a dash."
  }
}

variable "labels" {
  description = "Labels of the job, for example for the bill."
  type        = map(string)
}

variable "template" {
  description = "Flex template, as `gcloud dataflow flex-template build` wrote it: gs://BUCKET/FILE.json."
  type        = string

  validation {
    condition     = can(regex("^gs://.+\\.json$", var.template))
    error_message = "template: gs://BUCKET/FILE.json."
  }
}

variable "subscription" {
  description = "Subscription of the gateways' topic, as projects/P/subscriptions/S."
  type        = string
}

variable "alerts_topic" {
  description = "Topic of the alerts, as projects/P/topics/T."
  type        = string
}

variable "dataset" {
  description = "Dataset of the tables."
  type        = string
}

variable "views_dataset" {
  description = "Dataset of views and functions."
  type        = string
}

variable "table_prefix" {
  description = "What names of tables, views and functions begin with."
  type        = string
}

variable "archive" {
  description = "Folder that keeps every batch: gs://BUCKET/FOLDER."
  type        = string
}

variable "pipeline_key" {
  description = "Secret with the pipeline's private key, as projects/P/secrets/S: it must have a version when the job starts."
  type        = string
}

variable "parameters" {
  description = "Other parameters of the template, such as { allowedLateness = \"3d\", require_signatures = \"warn\" }."
  type        = map(string)
  default     = {}
}

variable "service_account" {
  description = "E-mail address of the pipeline's service account."
  type        = string
}

variable "subnetwork" {
  description = "Subnetwork with Private Google Access: regions/R/subnetworks/S."
  type        = string
}

variable "staging" {
  description = "Bucket of the job's files."
  type        = string
}

variable "min_workers" {
  description = "Workers to begin with."
  type        = number
  default     = 1
}

variable "max_workers" {
  description = "Workers at most: what it may cost."
  type        = number
  default     = 5

  validation {
    condition     = var.max_workers >= var.min_workers && var.min_workers >= 1
    error_message = "max_workers: at least min_workers, which is at least 1."
  }
}

variable "machine_type" {
  description = "Type of the workers' machines."
  type        = string
  default     = "n1-standard-2"
}
