# One tick a minute for everybody; its id and its moment are Pub/Sub's (decision 36).
resource "google_cloud_scheduler_job" "tick" {
  name        = "ab-tick"
  region      = var.region
  description = "Publishes agentbuilder.clock.time_ticked.v1"
  schedule    = "* * * * *"
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = module.topic["clock"].id
    data       = base64encode("{}")
    attributes = {
      "ce-specversion" = "1.0"
      "ce-type"        = "agentbuilder.clock.time_ticked.v1"
      "ce-source"      = "/services/clock"
      "ce-actor"       = "service:clock"
      "content-type"   = "application/json"
    }
  }

  retry_config {
    retry_count        = 3
    max_retry_duration = "30s" # the next one is due soon
  }

  depends_on = [google_project_service.needed]
}
