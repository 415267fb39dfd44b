variable "project" {
  description = "Project that everything stands in; environments are projects."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project: the id of a project, such as my-project, not its number or title."
  }
}

variable "region" {
  description = "Region of the job, its image and its workers."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: such as europe-west1; a zone ends with a letter and is none."
  }
}

variable "location" {
  description = "Where datasets and buckets are: a region, EU or US. BigQuery moves none."
  type        = string
}

variable "engine" {
  description = "Where the pipeline runs: dataflow, or own for a machine of one's own."
  type        = string

  validation {
    condition     = contains(["dataflow", "own"], var.engine)
    error_message = "engine: dataflow or own."
  }
}

variable "template" {
  description = "Flex template of the pipeline, gs://BUCKET/FILE.json; null until image and template are built, and with engine = \"own\"."
  type        = string
  default     = null

  validation {
    condition     = var.template == null || var.engine == "dataflow"
    error_message = "template: leave it out with engine = \"own\"."
  }
}

variable "sites" {
  description = "Sites whose gateways may publish: the organisational unit (OU) of their certificates."
  type        = set(string)
}

variable "gateways" {
  description = "The same for gateways whose certificates `tinybeam keys` made, which name no unit: their names by site, such as { north-field = [\"gateway-1\"] }."
  type        = map(set(string))
  default     = {}
}

variable "authorities" {
  description = "Files with the certificates of the authorities that sign the machines'."
  type        = list(string)
}

variable "intermediates" {
  description = "Files with the certificates of authorities that sign under those, without their keys."
  type        = list(string)
  default     = []
}

variable "revoked" {
  description = "Serial numbers, in hexadecimal capitals, of certificates that were lost."
  type        = list(string)
  default     = []
}

variable "machines" {
  description = "Programs on machines outside of Google: the common name of a machine's certificate, and as which accounts it may act, such as { barn-server = [\"pipeline\", \"notifier\"] }. Its organisational unit is none of the sites."
  type        = map(set(string))
  default     = {}
}

variable "analysts" {
  description = "Who may ask the views, as group:NAME or user:NAME."
  type        = set(string)
  default     = []
}

variable "site_analysts" {
  description = "Who may ask about one site alone, and sees no positions, by site, such as { north-field = [\"group:north@example.com\"] }."
  type        = map(set(string))
  default     = {}
}

variable "table_readers" {
  description = "Who may read the tables themselves, the rows of one site alone and no positions, by site, such as { north-field = [\"group:north@example.com\"] }. With anybody here rules stand on all tables with a site."
  type        = map(set(string))
  default     = {}
}

variable "launchers" {
  description = "Who may launch and operate the job, as group:NAME or user:NAME."
  type        = set(string)
  default     = []
}

variable "mails" {
  description = "Addresses that are written to when the pipeline itself is in trouble."
  type        = set(string)
}

variable "billing_account" {
  description = "Billing account of the project, for the budget; null: no budget is made."
  type        = string
  default     = null
}

variable "monthly_budget" {
  description = "What a month may cost before somebody is told, in the currency of the billing account."
  type        = number
  default     = 200
}

variable "currency" {
  description = "Currency of the billing account."
  type        = string
  default     = "USD"
}

variable "shards" {
  description = "Shards of the gateways (uplink.shard), where several pipelines on machines of one's own share the work; none: one pipeline does."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.shards) == 0 || var.engine == "own"
    error_message = "shards: Dataflow shares the work by itself, leave them out."
  }
}

variable "retention_days" {
  description = "Days that messages wait for a pipeline that is away, 1 to 31."
  type        = number
  default     = 7
}

variable "labels" {
  description = "Labels of all that bears some, for example for the bill."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: lower-case letters, digits, dashes and underscores; a key begins with a letter."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS, in the region of the data, under which messages, tables and buckets are encrypted; null: keys of Google's. Whoever takes it away takes away all that is stored under it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key: projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY."
  }
}
