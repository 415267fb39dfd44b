variable "project" {
  description = "Project of the service accounts."
  type        = string
}

variable "prefix" {
  description = "What their names begin with. `tinybeam pipeline launch` expects tinybeam unless --service_account says otherwise."
  type        = string
  default     = "tinybeam"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,20}$", var.prefix))
    error_message = "prefix: 3 to 21 lower-case letters, digits and dashes, beginning with a letter."
  }
}
