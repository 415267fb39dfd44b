terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 8"
    }
  }

  # State says what stands where, and is worth a bucket of its own, made by hand before the first apply:
  # backend "gcs" {
  #   bucket = "my-project-tofu"
  #   prefix = "tinybeam"
  # }
}

provider "google" {
  project = var.project
  region  = var.region
}

provider "google-beta" {
  project = var.project
  region  = var.region
}
