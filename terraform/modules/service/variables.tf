variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "image" {
  type = string
}

variable "account" {
  type        = string
  description = "E-mail of the account the service acts as."
}

variable "push_account" {
  type        = object({ email = string, member = string })
  description = "The one account that may push events to it."
}

variable "public" {
  type        = bool
  description = "Whether everybody may call it. Otherwise only the push account, from inside the project."
}

variable "protect" {
  type = bool
}

variable "size" {
  type = object({
    cpu         = string
    memory      = string
    min         = number
    max         = number
    concurrency = number
    timeout_s   = number
  })
}

variable "vpc" {
  type        = object({ network = string, subnetwork = string, tag = string })
  description = "A network by which it reaches services that answer from inside alone; null: none."
}

variable "settings" {
  type        = map(string)
  description = "Environment variables; empty ones are left out."
}

variable "secrets" {
  type        = map(string)
  description = "Environment variable -> id of the secret whose newest version it holds."
}

variable "labels" {
  type = map(string)
}
