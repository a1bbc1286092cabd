output "runner" {
  value = {
    network    = google_compute_network.this.id
    subnetwork = google_compute_subnetwork.runner.id
    tag        = local.runner
  }
}

output "egress" {
  value = {
    network    = google_compute_network.this.id
    subnetwork = google_compute_subnetwork.egress.id
    tag        = local.egress
  }
}
