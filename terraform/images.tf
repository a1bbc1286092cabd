resource "google_artifact_registry_repository" "images" {
  repository_id = "agent-builder"
  location      = var.region
  format        = "DOCKER"
  labels        = local.labels

  docker_config {
    immutable_tags = true
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  cleanup_policies {
    id     = "keep-the-last-twenty"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-what-is-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }

  depends_on = [google_project_service.needed]
}

locals {
  images = { for name in setunion(local.services, ["runner"]) : name => "${google_artifact_registry_repository.images.registry_uri}/${name}:${var.image_tag}" }
}
