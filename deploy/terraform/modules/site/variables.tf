variable "project" {
  description = "Project of the datasets."
  type        = string
}

variable "labels" {
  description = "Labels of dataset and views, for example for the bill."
  type        = map(string)
}

variable "location" {
  description = "Where the views of all sites are."
  type        = string
}

variable "kms_key" {
  description = "Key of Cloud KMS for what is ever stored beside the views; null: a key of Google's."
  type        = string
  default     = null
}

variable "views_dataset" {
  description = "Dataset of the views of all sites; the site's own is called like it and the site."
  type        = string
}

variable "table_prefix" {
  description = "What the names of views begin with."
  type        = string
}

variable "site" {
  description = "The site, as `site_id` in the registry."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.site))
    error_message = "site: letters, digits, dots, dashes and underscores, at most 64, as in the registry."
  }
}

variable "analysts" {
  description = "Who may ask about this site alone, as group:NAME or user:NAME."
  type        = set(string)

  validation {
    condition     = alltrue([for member in var.analysts : can(regex("^(group|user|serviceAccount):.+$", member))])
    error_message = "analysts: group:, user: or serviceAccount:, and never everybody."
  }
}
