variable "project" {
  description = "Project of the secret."
  type        = string
}

variable "labels" {
  description = "Labels of the secret, for example for the bill."
  type        = map(string)
}

variable "name" {
  description = "Name of the secret that holds the pipeline's private key."
  type        = string
  default     = "tinybeam-pipeline-key"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.name))
    error_message = "name: letters, digits, dashes and underscores."
  }
}
