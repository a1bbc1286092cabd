variable "name" {
  type        = string
  description = "Subject of the events, as in docs/events.json."
}

variable "publishers" {
  type        = map(string)
  description = "IAM members by the name they publish under."
}

variable "subscribers" {
  type = map(object({
    url          = string
    push_account = string
    dead_topic   = string
  }))
  description = "By service: its address, the account that pushes to it, where what it cannot answer goes."
}

variable "pubsub_agent" {
  type        = string
  description = "Pub/Sub's own IAM member in this project."
}

variable "kms_key" {
  type = string
}

variable "region" {
  type        = string
  description = "Messages stay here."
}

variable "labels" {
  type = map(string)
}
