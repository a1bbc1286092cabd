variable "region" {
  type = string
}

variable "way_out" {
  type        = bool
  description = "Whether executor-egress goes out to the internet from here, under an address of its own."
}
