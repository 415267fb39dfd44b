variable "project" {
  description = "Project of the dataset."
  type        = string
}

variable "dataset" {
  description = "Dataset of views and functions."
  type        = string
}

variable "prefix" {
  description = "What their names begin with."
  type        = string
}

variable "labels" {
  description = "Labels of the views."
  type        = map(string)
}

variable "names" {
  description = "What stands before the name of a table and of a view in SQL: the dataset, a dot, the prefix."
  type        = object({ tables = string, views = string })
}

variable "objects" {
  description = "Views and functions by name, each as in objects/*.json."
  type        = any
}
