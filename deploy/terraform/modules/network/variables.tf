variable "project" {
  description = "Project of the network."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "name" {
  description = "Name of network and subnetwork."
  type        = string
  default     = "tinybeam-workers"
}

variable "addresses" {
  description = "Addresses of the subnetwork; one for each worker, and room for those that replace them."
  type        = string
  default     = "10.64.0.0/24"

  validation {
    condition     = can(cidrhost(var.addresses, 1))
    error_message = "addresses: a range such as 10.64.0.0/24."
  }
}
