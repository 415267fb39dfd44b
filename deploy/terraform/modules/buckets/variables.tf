variable "project" {
  description = "Project of the buckets."
  type        = string
}

variable "labels" {
  description = "Labels of the buckets, for example for the bill."
  type        = map(string)
}

variable "location" {
  description = "Where the buckets are: the same place as the datasets, or loads are refused."
  type        = string
}

variable "prefix" {
  description = "What the names of the buckets begin with; they are unique in all of Google Cloud."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{2,50}$", var.prefix))
    error_message = "prefix: 3 to 51 lower-case letters, digits and dashes."
  }
}

variable "staging_days" {
  description = "Days after which the files of a job are deleted. A job that runs needs its own: launch or update it more often than that."
  type        = number
  default     = 365

  validation {
    condition     = var.staging_days >= 30
    error_message = "staging_days: at least 30: a job that scales up reads files of its launch."
  }
}

variable "archive_days" {
  description = "Days after which batches leave the archive; null: never."
  type        = number
  default     = null

  validation {
    condition     = var.archive_days == null ? true : var.archive_days >= 120
    error_message = "archive_days: at least 120, or null for ever."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS under which new objects are encrypted; null: a key of Google's."
  type        = string
  default     = null
}
