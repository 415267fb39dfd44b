variable "project" {
  description = "Project of the pool."
  type        = string
}

variable "pool" {
  description = "Name of the pool. One that was deleted cannot be named again for 30 days."
  type        = string
  default     = "tinybeam"

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.pool)) && !startswith(var.pool, "gcp-")
    error_message = "pool: 4 to 32 lower-case letters, digits and dashes, not beginning with gcp-."
  }
}

variable "authorities" {
  description = "Certificates of the authorities that sign the machines', as PEM. Two, while one follows the other. P-256, P-384 or RSA; a machine's certificate is valid for 390 days at most."
  type        = list(string)

  validation {
    condition     = length(var.authorities) >= 1 && length(var.authorities) <= 3 && alltrue([for pem in var.authorities : strcontains(pem, "BEGIN CERTIFICATE") && !strcontains(pem, "PRIVATE KEY")])
    error_message = "authorities: one to three certificates as PEM, such as file(\"ca.pem\"), and never a private key."
  }
}

variable "intermediates" {
  description = "Certificates of authorities that sign under one of `authorities`, as PEM: that of `tinybeam keys` signs under its root."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for pem in var.intermediates : strcontains(pem, "BEGIN CERTIFICATE") && !strcontains(pem, "PRIVATE KEY")])
    error_message = "intermediates: certificates as PEM, such as file(\"issuing.pem\"), and never a private key."
  }
}

variable "revoked" {
  description = "Serial numbers, in hexadecimal capitals, of certificates that were lost."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for serial in var.revoked : can(regex("^[0-9A-F]+$", serial))])
    error_message = "revoked: hexadecimal digits in capitals, without colons: openssl x509 -noout -serial."
  }
}
