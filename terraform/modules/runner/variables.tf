variable "name" {
  type        = string
  description = "Of the shape, for example 512mb-gateway."
}

variable "region" {
  type = string
}

variable "image" {
  type = string
}

variable "account" {
  type        = string
  description = "E-mail of the account that may do nothing."
}

variable "starter" {
  type        = string
  description = "IAM member that may start, look at and cancel executions."
}

variable "starter_role" {
  type = string
}

variable "cpu" {
  type = string
}

variable "memory" {
  type = string
}

variable "network" {
  type        = string
  description = "gateway: the run may have a way out through executor-egress; none: it may not."
}

variable "vpc" {
  type = object({
    network    = string
    subnetwork = string
    tag        = string
  })
}

variable "protect" {
  type = bool
}

variable "labels" {
  type = map(string)
}
