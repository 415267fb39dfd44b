variable "project" {
  description = "Project whose costs are counted."
  type        = string
}

variable "billing_account" {
  description = "Billing account of the project, such as 012345-6789AB-CDEF01."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account: three times six digits and capitals, with dashes between."
  }
}

variable "amount" {
  description = "What a month may cost. `tinybeam cost` reckons what a fleet does."
  type        = number

  validation {
    condition     = var.amount >= 1 && floor(var.amount) == var.amount
    error_message = "amount: a whole number of at least 1."
  }
}

variable "currency" {
  description = "Currency of the billing account."
  type        = string
  default     = "USD"

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.currency))
    error_message = "currency: three capitals, such as EUR."
  }
}
