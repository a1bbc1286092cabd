variable "project" {
  type        = string
  description = "Id of the Google Cloud project; it holds nothing but this installation."
}

variable "region" {
  type        = string
  description = "Where everything runs and lies."
}

variable "image_tag" {
  type        = string
  description = "Tag of the images to run; tags are never moved, so a tag is a version."
}

variable "services" {
  type = map(object({
    cpu         = string
    memory      = string
    min         = number
    max         = number
    concurrency = number
    timeout_s   = number
  }))
  description = "Size of each of the five services. concurrency: requests an instance answers at once; the gateway holds one for each open live view, the planner one for each question of a running agent, which may take ten minutes."
}

variable "public_url" {
  type        = string
  default     = ""
  description = "The address people use, when it is not the one Cloud Run gives the gateway."
}

variable "files_url" {
  type        = string
  default     = ""
  description = "Another name of the gateway, for the files that runs make (decision 19). Empty: files are saved, never shown."
}

variable "planner" {
  type = object({
    engine       = string
    model        = string
    base_url     = string
    month_tokens = number
  })
  description = "AB_PLANNER, AB_MODEL, ANTHROPIC_BASE_URL (empty: the code's defaults) and AB_MONTH_TOKENS."
}

variable "package_index" {
  type        = string
  default     = ""
  description = "Address of the package index agents' packages come from; empty: the installer's own."
}

variable "cloud_sandbox" {
  type        = bool
  default     = false
  description = "Make the runner's jobs, their network and executor-egress. Off: the executor runs code in its own instance, with bubblewrap."
}

variable "shapes" {
  type = map(object({
    cpu       = string
    memory    = string
    memory_mb = number
    network   = string
  }))
  default     = {}
  description = "One job each: a run takes the smallest it fits in. memory: of the container; memory_mb: the most its run may be promised; network: gateway (may reach executor-egress) or none."

  validation {
    condition     = alltrue([for shape in values(var.shapes) : contains(["gateway", "none"], shape.network)])
    error_message = "network is gateway or none."
  }
}

variable "replay_everywhere" {
  type        = bool
  default     = false
  description = "Let the gateway publish to every topic, so that an operator can replay any dead letter. Off: only those of topics it publishes to anyway."
}

variable "trace_share" {
  type        = number
  default     = 0.05
  description = "How many of the traces are recorded, 0 to 1 (AB_TRACE_SHARE). Numbers and log lines are not sampled."
}

variable "day_model_usd" {
  type        = number
  default     = 20
  description = "What models may cost in a day, in US dollars, before somebody is told; nothing is switched off."
}

variable "protect" {
  type        = bool
  description = "Refuse to delete databases, buckets and services."
}

variable "alert_email" {
  type        = string
  description = "Who is told when something is wrong."
}

variable "billing_account" {
  type        = string
  description = "Billing account of the budget."
}

variable "month_budget" {
  type = object({
    currency = string
    units    = string
  })
  description = "What a month may cost before somebody is told; nothing is switched off."
}
