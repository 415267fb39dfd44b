variable "project" {
  description = "Project of the datasets."
  type        = string
}

variable "location" {
  description = "Where the tables are: tags and rules are there, too."
  type        = string
}

variable "readers" {
  description = "Who sees positions: the accounts, and people as group:NAME or user:NAME."
  type        = set(string)
}

variable "masked" {
  description = "Who may read the tables, and sees null where a position is."
  type        = set(string)
}
