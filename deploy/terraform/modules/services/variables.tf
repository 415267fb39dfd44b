variable "project" {
  description = "Project whose APIs are enabled."
  type        = string
}

variable "dataflow" {
  description = "Whether the pipeline runs on Dataflow, which needs machines and a registry of images."
  type        = bool
}

variable "budget" {
  description = "Whether a budget is made, which needs the APIs of billing."
  type        = bool
}

variable "rules" {
  description = "Whether rules stand on rows and columns of tables."
  type        = bool
}
