variable "project" {
  description = "Project of topics and subscriptions."
  type        = string
}

variable "labels" {
  description = "Labels of topics and subscriptions, for example for the bill."
  type        = map(string)
}

variable "topic" {
  description = "Name of the gateways' topic; the others begin with it."
  type        = string
  default     = "telemetry"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,200}$", var.topic)) && !startswith(var.topic, "goog")
    error_message = "topic: lower-case letters, digits and dashes, beginning with a letter, and not with goog."
  }
}

variable "shards" {
  description = "Shards of the gateways (uplink.shard), where several pipelines on machines of one's own share the work: a subscription for each, and one for gateways without a shard. None: one subscription, of everything. A filter cannot be changed later."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for shard in var.shards : can(regex("^[A-Za-z0-9._-]{1,40}$", shard)) && shard != "rest"])
    error_message = "shards: letters, digits, dots, dashes and underscores, at most 40, and not rest."
  }
}

variable "retention_days" {
  description = "Days that messages wait for who is away. Pub/Sub keeps them for 31 at most."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 31
    error_message = "retention_days: 1 to 31."
  }
}

variable "delivery_attempts" {
  description = "Attempts after which a message goes to the dead letters, 5 to 100; null: never. Leave it null with Dataflow, which does not support dead-letter topics."
  type        = number
  default     = null

  validation {
    condition     = var.delivery_attempts == null ? true : var.delivery_attempts >= 5 && var.delivery_attempts <= 100
    error_message = "delivery_attempts: 5 to 100, or null."
  }
}

variable "regions" {
  description = "Regions that messages may be stored in; none: all that the organisation allows."
  type        = list(string)
  default     = []
}

variable "kms_key" {
  description = "Key of Cloud KMS under which messages that wait are encrypted; null: a key of Google's."
  type        = string
  default     = null
}
