variable "project" {
  description = "Project of everything that is named here."
  type        = string
}

variable "accounts" {
  description = "Service accounts of pipeline, launcher, notifier and analyst, as the module accounts makes them."
  type        = map(object({ name = string, email = string, member = string }))

  validation {
    condition     = toset(keys(var.accounts)) == toset(["pipeline", "launcher", "notifier", "analyst"])
    error_message = "accounts: pipeline, launcher, notifier and analyst."
  }
}

variable "topic" {
  description = "Topic of the gateways, as projects/P/topics/T."
  type        = string
}

variable "alerts_topic" {
  description = "Topic of the alerts, as projects/P/topics/T."
  type        = string
}

variable "subscriptions" {
  description = "Subscriptions of pipelines by name, as projects/P/subscriptions/S."
  type        = map(string)
}

variable "notify_subscription" {
  description = "Subscription of the notifier, as projects/P/subscriptions/S."
  type        = string
}

variable "dead_letters" {
  description = "Topic and subscription of the dead letters; null if there are none."
  type        = object({ topic = string, subscription = string })
}

variable "pipeline_key" {
  description = "Secret with the pipeline's private key, as projects/P/secrets/S."
  type        = string
}

variable "dataset" {
  description = "Dataset of the tables."
  type        = string
}

variable "views_dataset" {
  description = "Dataset of views and functions."
  type        = string
}

variable "buckets" {
  description = "Names of the buckets."
  type        = object({ staging = string, loads = string, templates = string, archive = string })
}

variable "images" {
  description = "Location and name of the repository of images; null without Dataflow."
  type        = object({ location = string, repository = string })
}

variable "dataflow" {
  description = "Whether the pipeline runs on Dataflow: without it nobody may launch."
  type        = bool
}

variable "subject" {
  description = "What a slash and a common name make the member of one machine: output of the module identity."
  type        = string
}

variable "site" {
  description = "What a slash and a site make the member of its gateways: output of the module identity."
  type        = string
}

variable "sites" {
  description = "Sites whose gateways may publish: the organisational unit (OU) of their certificates."
  type        = set(string)

  validation {
    condition     = alltrue([for site in var.sites : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", site))])
    error_message = "sites: letters, digits, dots, dashes and underscores, at most 64, as in the registry."
  }
}

variable "gateways" {
  description = "Gateways that may publish by the common names of their certificates, by site: of certificates without an organisational unit, as `tinybeam keys` makes them."
  type        = map(set(string))

  validation {
    condition     = alltrue(flatten([for names in values(var.gateways) : [for name in names : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", name))]]))
    error_message = "gateways: names as in gateway.id: letters, digits, dots, dashes and underscores, at most 64."
  }
}

variable "machines" {
  description = "Programs on machines outside of Google: the common name of a machine's certificate, and as which accounts it may act."
  type        = map(set(string))

  validation {
    condition     = alltrue(flatten([for programs in values(var.machines) : [for program in programs : contains(["pipeline", "launcher", "notifier", "analyst"], program)]]))
    error_message = "machines: programs are pipeline, launcher, notifier or analyst."
  }
}

variable "analysts" {
  description = "Who may ask the views, as group:NAME or user:NAME."
  type        = set(string)

  validation {
    condition     = alltrue([for member in var.analysts : can(regex("^(group|user|serviceAccount|domain):.+$", member))])
    error_message = "analysts: group:, user:, serviceAccount: or domain:, and never everybody."
  }
}

variable "site_analysts" {
  description = "Who may ask about one site alone, whichever: the modules site and rules let them read."
  type        = set(string)
}

variable "launchers" {
  description = "Who may launch and operate the job, as group:NAME or user:NAME."
  type        = set(string)

  validation {
    condition     = alltrue([for member in var.launchers : can(regex("^(group|user|serviceAccount):.+$", member))])
    error_message = "launchers: group:, user: or serviceAccount:."
  }
}
