variable "project" {
  description = "Project of metrics, alerts and dashboard."
  type        = string
}

variable "labels" {
  description = "Labels of alerts and channels."
  type        = map(string)
}

variable "mails" {
  description = "Addresses that are written to when the pipeline itself is in trouble. Alerts about fields and machines come from the notifier."
  type        = set(string)

  validation {
    condition     = alltrue([for mail in var.mails : can(regex("^[^@ ]+@[^@ ]+$", mail))])
    error_message = "mails: addresses such as farmer@example.com."
  }
}

variable "topic" {
  description = "Name of the gateways' topic."
  type        = string
}

variable "subscriptions" {
  description = "Names of the pipelines' subscriptions."
  type        = set(string)

  validation {
    condition     = length(var.subscriptions) > 0
    error_message = "subscriptions: at least one."
  }
}

variable "dead_letters" {
  description = "Name of the subscription of the dead letters; null if there are none."
  type        = string
}

variable "job" {
  description = "Name of the job on Dataflow; null on a machine of one's own, whose pipeline has no counters here."
  type        = string
}

variable "retention_days" {
  description = "Days that the subscriptions keep messages, for the text of the alert."
  type        = number
}

variable "oldest_message_minutes" {
  description = "Minutes that a message may wait before somebody is told."
  type        = number
  default     = 30

  validation {
    condition     = var.oldest_message_minutes >= 5
    error_message = "oldest_message_minutes: at least 5: an update of the job takes minutes."
  }
}

variable "backlog_messages" {
  description = "Messages that may wait for a quarter of an hour before somebody is told."
  type        = number
  default     = 10000
}

variable "rejects_per_hour" {
  description = "Rejects of one reason in an hour before somebody is told."
  type        = number
  default     = 100
}

variable "heartbeat_minutes" {
  description = "Minutes without any heartbeat before somebody is told: more than a gateway's heartbeat_seconds and a quarter."
  type        = number
  default     = 60

  validation {
    condition     = var.heartbeat_minutes >= 20 && var.heartbeat_minutes <= 1410
    error_message = "heartbeat_minutes: 20 to 1410; gateways send one every 15 minutes and up to a quarter more, and Cloud Monitoring waits for 23.5 hours at most."
  }
}
