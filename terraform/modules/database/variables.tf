variable "name" {
  type = string
}

variable "project" {
  type = string
}

variable "location" {
  type = string
}

variable "protect" {
  type        = bool
  description = "Refuse to delete the database, and keep seven days of earlier states and daily backups."
}

variable "owner" {
  type        = string
  description = "IAM member that reads and writes."
}

variable "readers" {
  type        = map(string)
  description = "IAM members that only read, by service."
}

variable "indexes" {
  type = list(object({
    collection = string
    fields     = list(object({ path = string, order = string }))
  }))
  description = "Composite indexes; those of single fields exist by themselves."
}

variable "unindexed" {
  type        = map(list(string))
  description = "Collection -> fields without an index of their own: rising values of a busy collection."
}

variable "expiring" {
  type        = map(string)
  description = "Collection -> timestamp after which a document may be deleted."
}
