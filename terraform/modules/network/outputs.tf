output "network" {
  value = google_compute_network.this.id
}

output "runner" {
  value = { subnetwork = google_compute_subnetwork.runner.id, tag = local.runner }
}

output "egress" {
  value = { subnetwork = google_compute_subnetwork.egress.id, tag = local.egress }
}
