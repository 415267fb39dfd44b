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

# the project itself is asked, and billed, for what is asked: the API of budgets wants to know whose
provider "google" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project = var.project
  region  = var.region
}
