variable "project" {
  description = "Project of the datasets."
  type        = string
}

variable "dataset" {
  description = "Dataset of the tables."
  type        = string
}

variable "table_prefix" {
  description = "What the names of tables begin with."
  type        = string
}

variable "tables" {
  description = "Tables whose rows have a site."
  type        = set(string)
}

variable "everywhere" {
  description = "Who sees the rows of all sites: the accounts, and people as group:NAME or user:NAME."
  type        = set(string)
}

variable "sites" {
  description = "Who sees the rows of one site alone, by site, as group:NAME or user:NAME."
  type        = map(set(string))

  validation {
    condition     = alltrue([for site in keys(var.sites) : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", site))])
    error_message = "sites: letters, digits, dots, dashes and underscores, at most 64, as in the registry."
  }
}

variable "readers" {
  description = "Who may read the tables themselves."
  type        = set(string)
}
