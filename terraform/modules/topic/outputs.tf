output "id" {
  value = google_pubsub_topic.this.id
}
