output "address" {
  value       = local.public_url
  description = "Where people go."
}

output "registry" {
  value       = google_artifact_registry_repository.images.registry_uri
  description = "Where to push images."
}

output "secrets" {
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.secret_id }
  description = "Secrets that wait for a value."
}

output "bucket" {
  value = google_storage_bucket.blobs.name
}

output "region" {
  value       = var.region
  description = "Where `make deploy` makes the tick."
}
