// The Modules target.
