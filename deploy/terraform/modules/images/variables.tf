variable "project" {
  description = "Project of the repository."
  type        = string
}

variable "region" {
  description = "Region of the repository: that of the job."
  type        = string
}

variable "labels" {
  description = "Labels of the repository, for example for the bill."
  type        = map(string)
}

variable "name" {
  description = "Name of the repository."
  type        = string
  default     = "tinybeam"
}
